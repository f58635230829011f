"""How the gates of a pass are found and recorded: sites, probes, and the copy of a network that carries hooks."""

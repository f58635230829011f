"""The machine that networks run on: its devices, its threads, and what a container leaves of it."""

"""What every page shares: navigation, sidebar, source of scans, address, words, layout, export, cache."""

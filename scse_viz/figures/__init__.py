"""Arrays -> Plotly figures; their text and background are the page's, so that both themes work."""

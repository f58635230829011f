"""Streamlit components: each Python file beside its JavaScript and CSS."""

"""What the page shows: state, chart, sentences, HTML, files."""

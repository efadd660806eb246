"""What is told of a forecast: numbers, sentences and files, alike on the page and elsewhere."""

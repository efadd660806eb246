"""The site: plain files that any static server can show, made of a bundle."""

"""Networks of one's own: the files that hold them, how they are written, and the page for one from Python."""

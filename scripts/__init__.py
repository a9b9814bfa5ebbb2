"""What is done with the explorer besides serving it; each is called by its path."""

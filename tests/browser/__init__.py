"""What only a browser can show: gestures, playback, links, failures and looks."""

"""What is answered without being decided again. Knows no rule; everything here came from `query`."""

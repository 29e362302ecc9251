"""Speed, as ratios against a named rival or a limit, measured in one run: `make bench`."""

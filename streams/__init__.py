"""How it flows: the log, the app, the views, and the command line over them."""

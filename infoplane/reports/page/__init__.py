"""The page that shows runs in a browser: its data, and the HTML around them."""

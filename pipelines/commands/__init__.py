"""The commands: words to values, values to what does the work, results to the screen."""

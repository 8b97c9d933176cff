"""Files and folders: what reads text, walks folders and matches names."""

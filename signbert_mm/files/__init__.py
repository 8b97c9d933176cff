"""Files and folders that everything else shares."""

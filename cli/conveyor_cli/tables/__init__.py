"""Tables of many kinds, and folders of files, read row by row."""

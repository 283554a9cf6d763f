"""One module for each revision, by number; see the package above for how to add one."""

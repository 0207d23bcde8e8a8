"""Between files and revisions: imports, exports, git histories and scripts."""

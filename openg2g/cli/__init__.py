"""The command line `openg2g`: one module for each command, loaded when it is run."""

"""CPU time of the command before it does any work."""

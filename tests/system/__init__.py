"""The deployed stack: state machine, roles and messages included."""

"""Runs in every state, as each release has left them. `write` writes those of this release: see CONTRIBUTING.md."""

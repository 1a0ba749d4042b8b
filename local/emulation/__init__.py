"""What MiniStack does otherwise than AWS and Conveyor rests on, mended: one module a place, each with its `mend()`."""

"""The tests of Conveyor."""

"""The parts of a verdict: what is checked, why requests failed, what to do, and how that looks."""

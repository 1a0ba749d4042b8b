"""Properties that hold for any input, tried with inputs that a fuzzer makes up."""

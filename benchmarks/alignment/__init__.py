"""Training of a soft prompt against a plain PEFT and PyTorch loop."""

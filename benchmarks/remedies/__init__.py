"""What training adds on a real model: one search among methods, on six tasks (docs/real-model.md)."""

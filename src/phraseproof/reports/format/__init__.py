"""What is shown, written as text, JSON, CSV, Markdown or LaTeX."""

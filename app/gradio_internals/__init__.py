"""All code that depends on gradio's internals."""

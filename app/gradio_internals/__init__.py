"""Everything that leans on the insides of gradio."""

"""The documentation: Markdown pages, and the command that makes a site of them: `python -m docs.build OUT`."""

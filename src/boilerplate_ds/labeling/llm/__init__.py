"""Labels suggested by a large language model behind any OpenAI-compatible endpoint.

``prompt`` cuts a page into windows and writes the question, ``endpoint`` asks it, ``answer`` checks what came
back, ``cache`` remembers it, and ``labeler`` does it for many pages at once.
"""

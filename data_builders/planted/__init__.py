"""The planted world: a small encyclopaedia in which it is known which fact stands in which language.

Facts and labels come from the atlas, sentences from ``forms.jsonl`` and ``fillers.jsonl`` beside this file.
No real corpus has this ground truth, so tracing, adapters and subspaces can be tried here against the right answer.
"""

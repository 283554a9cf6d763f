"""The way in for apps of any language: OpenAI's chat completions on the loopback address, answered by approved prompts.

Needs the extra `[serve]`. What is served lies in `app`, who may ask in `gate`, what is asked in `asking`
(docs/adr/0036).
"""

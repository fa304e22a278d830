"""What other systems send, read and understood before anything is stored.

`reading` takes a request's body off the wire, `parsing` makes sense of it, `context` is what expressions see of it.
Whatever arrives, the worst that comes of it is a `refusals.Refusal`.
"""

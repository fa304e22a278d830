"""What other systems send to our addresses, and what they are answered.

`endpoints`: the addresses, and finding them; `former`: those that were deleted. `requests`: one request, let in step by
step or refused. `storing`: the transaction that keeps it. `deliveries`: the same once more. `runs`: what the app above
knows of the runs that were set off. `waiting` and `answers`: what the caller gets; `statuses`: where it may ask later.
`logbook`: the request log, with what was refused. `forms`: posts that become records; `files`: what they bring along.
`origins`: pages of other sites. `drafts`: the test address. `inspectors`: addresses that only show. `misses`: addresses
that are none. `pages`: answers that people read.
"""

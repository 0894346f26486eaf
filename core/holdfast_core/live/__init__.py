"""Live sessions: what is open now, saved as it goes on, and closed in order.

host.start | resume(id)   ->  the session is live here, and nowhere else
host.append | set         ->  in the journal first, then in memory, then told
host.close(id)            ->  saved, closed, let go; a failure to save is shown and the journal keeps the data
"""

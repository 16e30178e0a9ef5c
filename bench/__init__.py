"""How fast is it on this machine? Loopback only, bounded in time.

`make bench` runs `python -m bench`: bench/__main__.py says in which order.
"""

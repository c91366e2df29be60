"""What the store asks, over Redis 7 or newer: hashes, sorted sets, Lua for what must be one step, pub/sub.

Everything lies under one prefix. Hashes hold jobs, records, timers, counts and the clock; what SQL has as an index is a
sorted set whose members have the same score, and so lie in the order of their bytes (`members`).
"""

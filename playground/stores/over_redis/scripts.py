"""What Redis does in one step, in Lua. KEYS[1] is the prefix of everything.

A turn holds ``PREFIX:lock``, a lease. Whoever finds it taken gets in line (``PREFIX:waiting``) and is woken when the
one before has finished; a place in line lasts for as long as somebody keeps asking for it. The lease is for peace only:
what a commit rests on is the clock's ``mark``, another one after each commit. So a turn whose lease ran out writes
nothing once somebody else has.
"""

from __future__ import annotations

from hashlib import sha1
from typing import Final

CLOCK: Final = ("seq", "stamp", "event", "counted", "instant", "mark")
"""Fields of the clock."""


class Script:
    """A script, and the name by which Redis knows it once it has seen it.

    Args:
        text: Lua.
        flags: Redis's own, e.g. ``no-writes``.
    """

    def __init__(self, text: str, flags: str = "") -> None:
        head = "#!lua flags=" + flags if flags else "#!lua"
        self.text = f"{head}\n{text}".encode()
        self.sha = sha1(self.text, usedforsecurity=False).hexdigest()


_WAKE: Final = """
local function wake()
  local first = redis.call('LINDEX', KEYS[1] .. ':waiting', 0)
  if first then
    redis.call('LPUSH', KEYS[1] .. ':wake:' .. first, '1')
    redis.call('PEXPIRE', KEYS[1] .. ':wake:' .. first, 1000)
  end
end
"""

# ARGV: this process, what the lock is to say, milliseconds of the lease, what a dead holder's lock says, milliseconds
# for which a place in line lasts.
ACQUIRE: Final = Script(
    """
local lock, waiting, me = KEYS[1] .. ':lock', KEYS[1] .. ':waiting', ARGV[1]
local held = redis.call('GET', lock)
if held == ARGV[4] then held = false end
local first = redis.call('LINDEX', waiting, 0)
while first and first ~= me and redis.call('EXISTS', KEYS[1] .. ':waits:' .. first) == 0 do
  redis.call('LPOP', waiting)
  first = redis.call('LINDEX', waiting, 0)
end
if held or (first and first ~= me) then
  if not redis.call('LPOS', waiting, me) then redis.call('RPUSH', waiting, me) end
  redis.call('SET', KEYS[1] .. ':waits:' .. me, '1', 'PX', ARGV[5])
  return {0, held or ''}
end
if first then
  redis.call('LPOP', waiting)
  redis.call('DEL', KEYS[1] .. ':waits:' .. me, KEYS[1] .. ':wake:' .. me)
end
redis.call('SET', lock, ARGV[2], 'PX', ARGV[3])
return {1, redis.call('HMGET', KEYS[1] .. ':clock', """
    + ", ".join(f"'{name}'" for name in CLOCK)
    + """)}
""",
    "allow-oom",
)

# ARGV: what the lock says, the mark that the turn began with, milliseconds. A lease that ran out is had again if nobody
# has written since. Not allowed when memory is out: it is also how a turn sees whether it could write.
RENEW: Final = Script("""
local held = redis.call('GET', KEYS[1] .. ':lock')
if (held and held ~= ARGV[1]) or (redis.call('HGET', KEYS[1] .. ':clock', 'mark') or '') ~= ARGV[2] then return 0 end
redis.call('SET', KEYS[1] .. ':lock', ARGV[1], 'PX', ARGV[3])
return 1
""")

# ARGV: what the lock says, the mark that the turn began with. Whether nobody else has written since.
RELEASE: Final = Script(
    _WAKE
    + """
if redis.call('GET', KEYS[1] .. ':lock') == ARGV[1] then
  redis.call('DEL', KEYS[1] .. ':lock')
  wake()
end
return (redis.call('HGET', KEYS[1] .. ':clock', 'mark') or '') == ARGV[2] and 1 or 0
""",
    "allow-oom",
)

# ARGV: what the lock says, the mark that the turn began with, the new one, this process; then the changes, each as a
# verb, a key, a number and so many values. A commit whose answer was lost may be asked for again.
COMMIT: Final = Script(
    _WAKE
    + """
local lock = KEYS[1] .. ':lock'
local mark, held = redis.call('HGET', KEYS[1] .. ':clock', 'mark'), redis.call('GET', lock)
if mark == ARGV[3] then return 1 end
if mark ~= ARGV[2] or (held and held ~= ARGV[1]) then return 0 end
local own = {}
function own.RECORD(key, at)
  local old = redis.call('HGET', key, ARGV[at])
  redis.call('HSET', key, ARGV[at], (old and old:sub(1, 8) or ARGV[at + 1]) .. ARGV[at + 2])
end
function own.TIMER(key, at)
  local name, new = ARGV[at], ARGV[at + 1]
  local old = redis.call('HGET', key, name)
  if old then redis.call('ZREM', key .. 's', old .. name) end
  if new == '' then
    redis.call('HDEL', key, name)
  else
    redis.call('HSET', key, name, new)
    redis.call('ZADD', key .. 's', 0, new .. name)
  end
end
local at = 5
while at <= #ARGV do
  local verb, key, count = ARGV[at], KEYS[1] .. ARGV[at + 1], tonumber(ARGV[at + 2])
  if own[verb] then own[verb](key, at + 3)
  else redis.call(verb, key, unpack(ARGV, at + 3, at + 2 + count)) end
  at = at + 3 + count
end
redis.call('HSET', KEYS[1] .. ':clock', 'mark', ARGV[3])
if held then redis.call('DEL', lock) end
wake()
redis.call('PUBLISH', KEYS[1] .. ':changes', ARGV[4])
return 1
"""
)

# ARGV: an id. The job's number and value.
JOB: Final = Script(
    """
local born = redis.call('HGET', KEYS[1] .. ':id', ARGV[1])
return born and {born, redis.call('HGET', KEYS[1] .. ':job', born)}
""",
    "no-writes",
)

# ARGV: a sorted set, the range's first member and the one after its last, how many, how many to pass over, '1' for the
# last ones first; then, if only some will do, the beginnings of their values. Members and values by turns, and where to
# go on when so many have been looked at that others are to have a go: '' at the end.
PAGE: Final = Script(
    """
local jobs, set, low, high = KEYS[1] .. ':job', KEYS[1] .. ARGV[1], '[' .. ARGV[2], '(' .. ARGV[3]
local limit, pass, last_first = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6] == '1'
local some = #ARGV > 6
local function wanted(value)
  if not some then return true end
  for at = 7, #ARGV do
    if value:sub(1, #ARGV[at]) == ARGV[at] then return true end
  end
  return false
end
local found, seen, next = {}, 0, ''
repeat
  local size, offset = 500, some and 0 or pass
  if not some then size = math.min(size, limit - #found / 2) end
  local members
  if last_first then members = redis.call('ZREVRANGEBYLEX', set, high, low, 'LIMIT', offset, size)
  else members = redis.call('ZRANGEBYLEX', set, low, high, 'LIMIT', offset, size) end
  if not some then pass = 0 end
  if #members == 0 then return {found, '', 0} end
  local numbers = {}
  for at, member in ipairs(members) do numbers[at] = member:sub(-8) end
  for at, value in ipairs(redis.call('HMGET', jobs, unpack(numbers))) do
    if value and wanted(value) then
      if some and pass > 0 then pass = pass - 1
      else
        found[#found + 1] = members[at]
        found[#found + 1] = value
        if #found >= 2 * limit then return {found, '', 0} end
      end
    end
  end
  seen, next = seen + #members, members[#members]
  if last_first then high = '(' .. next else low = '(' .. next end
  if #members < size then return {found, '', 0} end
until seen >= 5000
return {found, next, pass}
""",
    "no-writes",
)

# ARGV: this process, milliseconds. Whether it is the one that leads.
LEAD: Final = Script("""
local leader = KEYS[1] .. ':leader'
if redis.call('GET', leader) == ARGV[1] then return redis.call('PEXPIRE', leader, ARGV[2]) end
return redis.call('SET', leader, ARGV[1], 'NX', 'PX', ARGV[2]) and 1 or 0
""")

# ARGV: this process.
RESIGN: Final = Script("""
if redis.call('GET', KEYS[1] .. ':leader') == ARGV[1] then redis.call('DEL', KEYS[1] .. ':leader') end
return 1
""")

# ARGV: the schema, the first mark. The schema that is there.
OPEN: Final = Script("""
local clock = KEYS[1] .. ':clock'
if redis.call('EXISTS', clock) == 0 then
  redis.call('HSET', clock, 'schema', ARGV[1], 'mark', ARGV[2])
  redis.call('HSET', clock, 'seq', 0, 'stamp', 0, 'event', 0, 'counted', 0, 'instant', 0)
end
return redis.call('HGET', clock, 'schema') or ''
""")

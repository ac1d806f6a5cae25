"""What `cordwood plugins new` writes: a file for each kind of plugin, and those that every package has.

`$type`, `$cls`, `$package`, `$module` and `$kind` are replaced; `$$` stands for `$`.
"""

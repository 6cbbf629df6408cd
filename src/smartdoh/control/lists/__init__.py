"""`smartdoh lists`: shown and updated, by the running proxy or without one."""

"""Key-server URLs: build one from an account (`drmtoday`), carry it (`url`), keep it fresh (`renewal`, `store`)."""

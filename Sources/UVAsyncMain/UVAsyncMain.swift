// Whoever links this module has an async `main` that runs on a loop: see ``MainLoop``. Nothing is to be called.
private import CAsyncMain
@_exported public import UVMainExecutor

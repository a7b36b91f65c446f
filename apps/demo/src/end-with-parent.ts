// Loaded into every process of the demo before its own code: when the demo is gone, however it went, so are they.
process.once('disconnect', () => process.exit(1));
// Listening shall not keep a process alive that has nothing left to do.
process.channel?.unref();

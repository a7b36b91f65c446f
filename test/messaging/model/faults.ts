import type { Transition } from './happening.js';

/** A process of either side dies with what it remembers. Where it remembers nothing, nothing is lost. */
export const crash: Transition = (world) => {
  const { relays, due } = world;
  if (world.left.crashes === 0) return [];
  const left = { ...world.left, crashes: world.left.crashes - 1 };
  const sender = relays.flatMap((batch, relay) =>
    batch.length === 0
      ? []
      : {
          told: () => `relay ${relay + 1} dies before it publishes ${batch.map(({ key }) => key).join(', ')}`,
          after: () => ({ ...world, left, relays: relays.map((each, n) => (n === relay ? [] : each)) }),
        },
  );
  if (due === undefined) return sender;
  const receiver = {
    told: () => `the receiver dies before it sends its ${due.key}`,
    after: () => ({ ...world, left, due: undefined }),
  };
  return [...sender, receiver];
};

/** The sender's database restarts: nothing is lost, and it can not tell that from a restore. */
export const restart: Transition = (world) => {
  const { left, history, sender } = world;
  if (left.restarts === 0 || sender.stream === undefined) return [];
  return [
    {
      told: () => "the sender's database restarts",
      after: () => ({
        ...world,
        left: { ...left, restarts: left.restarts - 1 },
        history: { ...history, storage: history.names + 1, names: history.names + 1 },
      }),
    },
  ];
};

/** The sender's database is backed up, later restored; its relays live on, as in a fail-over to a replica that was behind. */
export const restoreSender: Transition = (world) => {
  const { left, history, sender } = world;
  if (left.senderRestores === 0) return [];
  const backup = history.senderBackup;
  if (backup === undefined) {
    return [
      {
        told: () => "the sender's database is backed up",
        after: () => ({ ...world, history: { ...history, senderBackup: sender } }),
      },
    ];
  }
  if (backup === sender) return [];
  return [
    {
      told: () => "the sender's database is restored",
      after: () => ({
        ...world,
        sender: backup,
        left: { ...left, senderRestores: left.senderRestores - 1 },
        history: { ...history, storage: history.names + 1, names: history.names + 1 },
      }),
    },
  ];
};

/** The same for the receiver. */
export const restoreReceiver: Transition = (world) => {
  const { left, history, receiver } = world;
  if (left.receiverRestores === 0) return [];
  const backup = history.receiverBackup;
  if (backup === undefined) {
    return [
      {
        told: () => "the receiver's database is backed up",
        after: () => ({ ...world, history: { ...history, receiverBackup: receiver } }),
      },
    ];
  }
  if (backup === receiver) return [];
  return [
    {
      told: () => "the receiver's database is restored",
      after: () => ({
        ...world,
        receiver: backup,
        left: { ...left, receiverRestores: left.receiverRestores - 1 },
        history: { ...history, receiverRestores: history.receiverRestores + 1 },
      }),
    },
  ];
};

import { PawlError } from '@pawl/core';
import { resultTable, SAMPLE_HEAD, sampleLine, speedLine } from './show.js';
import { soakMessages } from './soak-messages.js';
import { HELP, readSoakOptions, type SoakCommand } from './soak-options.js';
import { findings } from './soak-report.js';
import { startSoakServers } from './soak-servers.js';

const OK = 0;
const MISMATCH = 1;
const UNUSABLE = 2;
const USAGE_CODES = ['options_invalid', 'redis_missing'];

process.exit(await main().catch(complain));

async function main(): Promise<number> {
  const command = readSoakOptions(process.argv.slice(2));
  if (command.help) {
    console.log(HELP);
    return OK;
  }
  return soak(command);
}

async function soak({ bus, messages, seed, faults }: SoakCommand): Promise<number> {
  console.log(
    `${messages.toLocaleString('en-US')} messages, bus ${bus}, ${faults ? `seed ${seed}` : 'no faults'}\n`,
  );
  const servers = await startSoakServers(bus);
  try {
    console.log(SAMPLE_HEAD);
    const report = await soakMessages({
      ...{ messages, seed, faults, bus: servers.bus, databases: servers.databases },
      onSample: (sample, elapsedMs) => console.log(sampleLine(sample, elapsedMs)),
    });
    const good = findings(report).every((finding) => finding.good);
    console.log(`\n${resultTable(report)}\n\n${speedLine(report)}`);
    if (!good) console.log(`\nThis is wrong. Again with the same faults: --seed ${seed}`);
    return good ? OK : MISMATCH;
  } finally {
    await servers.stop();
  }
}

function complain(error: unknown): number {
  // Errors of ours name what to do; a stack trace would only hide it.
  const known = error instanceof PawlError && USAGE_CODES.includes(error.code);
  console.error(known ? error.message : error);
  return known ? UNUSABLE : MISMATCH;
}

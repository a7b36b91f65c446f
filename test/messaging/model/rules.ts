import {
  beginIncarnation,
  carryOver,
  mustBeginAnew,
} from '../../../libs/messaging/src/protocol/begin-incarnation.js';
import { numbersToGive } from '../../../libs/messaging/src/protocol/give-numbers.js';
import { judgeAcknowledgement } from '../../../libs/messaging/src/protocol/judge-acknowledgement.js';
import { judgeArrival } from '../../../libs/messaging/src/protocol/judge-arrival.js';
import { countsAsLost } from '../../../libs/messaging/src/protocol/retransmission.js';
import { answerQuestion, judgeAnswer, toSendAgain } from '../../../libs/messaging/src/protocol/session.js';
import { endsWith, settle } from '../../../libs/messaging/src/protocol/settlement.js';

/** The very functions that relay, sessions, acknowledgements and inbox import. A mutation replaces one of them. */
export const RULES = {
  beginIncarnation,
  carryOver,
  mustBeginAnew,
  numbersToGive,
  judgeAcknowledgement,
  judgeArrival,
  countsAsLost,
  answerQuestion,
  judgeAnswer,
  toSendAgain,
  endsWith,
  settle,
};

export type Rules = typeof RULES;

/** A question before a command: what it will do, and the command of the answer "yes". Pure. */
import type { Command } from "./command.ts";
import type { Account } from "./messages.ts";

export interface Question {
  readonly title: string;
  /** What the command would do now. */
  readonly text: () => string;
  /** The words on the button that does it. */
  readonly act: string;
  /** Whether real money moves; `null` if the command concerns no account. */
  readonly account: Account | null;
  readonly command: Command<string>;
}

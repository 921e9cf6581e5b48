// SPDX-License-Identifier: MIT
/** Frames of a stack as they are shown: symbols, innermost first. */

/** Stands for frames that are none. */
export const CUT_FRAME = '[cut here: the next frame is no code]';

const BARE = /^0x[0-9a-f]+$/;

/**
 * The frames that can be trusted. A program built without frame pointers leaves anything in the register the kernel
 * walks by: its stack goes on through words that are no return addresses. The first frame that lies in no code, behind
 * one that does, ends the stack, and `CUT_FRAME` stands for the rest. Where nothing has a name nothing is distinguished.
 */
export function trustedFrames(frames: readonly string[]): readonly string[] {
  if (frames.length === 0 || BARE.test(frames[0] as string)) return frames;
  const at = frames.findIndex((frame) => BARE.test(frame));
  if (at < 0) return frames;
  return [...frames.slice(0, at), CUT_FRAME];
}

/** A frame without its offset: one name for all places in a function. */
export function functionOf(frame: string): string {
  return frame.replace(/[+@]0x[0-9a-f]+(?= |$)/, '');
}

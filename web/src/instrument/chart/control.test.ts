import { expect, test } from "vitest";
import { ChartControl } from "./control.ts";

function control(count: number) {
  const own = new ChartControl();
  own.items.value = Array.from({ length: count }, (_, start) => ({ start }));
  const calls: unknown[] = [];
  own.drawn = {
    point: (index) => calls.push(index),
    newest: () => calls.push("newest"),
    zoom: (factor) => calls.push(factor),
  };
  return { own, calls };
}

test("the crosshair moves from bar to bar, from the newest one, and stops at the ends", () => {
  const { own, calls } = control(3);
  own.step(-1);
  own.step(-5);
  own.step(1);
  own.step(9);
  expect(calls).toEqual([1, 0, 1, 2]);
  expect(own.pointed.value).toBe(2);
  own.newest();
  expect(own.pointed.value).toBeNull();
});

test("a chart without bars has nothing to point at", () => {
  const { own, calls } = control(0);
  own.step(1);
  expect(own.pointed.value).toBeNull();
  expect(calls).toEqual([null]);
});

test("bars become wider and narrower by the same factor", () => {
  const { own, calls } = control(1);
  own.zoomIn();
  own.zoomOut();
  expect(Number(calls[0]) * Number(calls[1])).toBeCloseTo(1);
});

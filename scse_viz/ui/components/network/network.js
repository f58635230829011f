// The component: a drawing for each place of the page that Streamlit mounts it in.

import { NetworkView } from "./view.js";

const views = new WeakMap();

export default function network({ data, parentElement, setTriggerValue }) {
  let view = views.get(parentElement);
  if (!view) {
    view = new NetworkView(parentElement);
    views.set(parentElement, view);
  }
  view.trigger = setTriggerValue;
  view.show(data);
  return () => {
    views.delete(parentElement);
    view.close();
  };
}

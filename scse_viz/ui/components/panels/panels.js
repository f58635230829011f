// The component: a view for each place of the page that Streamlit mounts it in.

import { PanelsView } from "./view.js";

const views = new WeakMap();

export default function panels({ data, parentElement, setStateValue, setTriggerValue }) {
  let view = views.get(parentElement);
  if (!view) {
    view = new PanelsView(parentElement);
    views.set(parentElement, view);
  }
  view.send = setStateValue;
  view.trigger = setTriggerValue;
  view.show(data);
  return () => {
    views.delete(parentElement);
    view.close();
  };
}

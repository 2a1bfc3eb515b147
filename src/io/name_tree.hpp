// Names with dots as the trees that they come from: `layers.0.weight` is field `weight` of item 0 of `layers`.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/stored_tensor.hpp"

namespace vmaprun {

class NameTree {
  public:
    using Fields = std::vector<std::pair<std::string, NameTree>>;

    // E516 where a name is of more than 512 parts, or of a tensor and of what holds others; `place` is what messages call the file.
    void add(const std::string& name, const std::shared_ptr<const StoredTensor>& tensor, const std::string& place);

    const std::shared_ptr<const StoredTensor>& tensor() const { return tensor_; } // null: it has fields
    const Fields& fields() const { return fields_; }                             // in the order in which they were added
    // Whether the names are 0, 1, … in some order.
    bool is_tuple() const;
    const NameTree& item(std::size_t number) const { return fields_[places_.at(std::to_string(number))].second; }

  private:
    NameTree& field(const std::string& name);

    std::shared_ptr<const StoredTensor> tensor_;
    Fields fields_;
    std::map<std::string, std::size_t> places_; // of the fields, by name
};

} // namespace vmaprun
